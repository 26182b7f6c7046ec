//! Regions: map, unmap, size.

use hallows_abi::{Error, OnRegion, Reply, Rights};

use super::Request;
use crate::engine::Access;
use crate::lock::{Token, level};
use crate::make::{PAGE_BYTES, region_error};
use crate::objects::Mapping;
use crate::sync::Ordering;
use crate::through::Through;
use crate::{CellId, Context, Engine, Kernel};

impl<E: Engine> Kernel<E> {
    pub(super) fn operate_region(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        operation: OnRegion,
    ) -> Result<Reply, Error> {
        let record = self.regions.at(request.index());
        let bytes = record.bytes.load(Ordering::Relaxed);
        let cell = request.cell;
        match operation {
            OnRegion::Size => return Ok(Reply::Number(bytes)),
            OnRegion::Map { address, access } => {
                let (access, needed) = match access {
                    hallows_abi::Access::Read => (Access::Read, Rights::READ),
                    hallows_abi::Access::ReadWrite => (Access::ReadWrite, Rights::READ | Rights::WRITE),
                };
                request.needs(needed)?;
                if address % PAGE_BYTES != 0 {
                    return Err(Error::BadArgument);
                }
                // Two threads of a cell do not find the same place free.
                let (_maps, mut token) = self.cells.at(cell).maps.lock(&mut context.token);
                self.forbid_overlap(&mut token, cell, address, bytes)?;
                let (mut mappings, _) = record.mappings.lock(&mut token);
                // Under the lock that its end unmaps it under: what is read here is not the next region's at this index.
                let number = record.number.load(Ordering::Relaxed);
                if !record.generation.is(request.generation()) {
                    return Err(Error::Gone);
                }
                self.engine
                    .map_region(CellId(cell), address, bytes, Some((number, access)))
                    .map_err(region_error)?;
                mappings.push(Mapping { cell, address, through: Through::new(request.found.via) });
            }
            OnRegion::Unmap { address } => {
                let (mut mappings, _) = record.mappings.lock(&mut context.token);
                let before = mappings.len();
                mappings.retain(|mapping| mapping.cell != cell || mapping.address != address);
                if mappings.len() == before {
                    return Err(Error::BadState);
                }
                self.engine.map_region(CellId(cell), address, bytes, None).map_err(region_error)?;
            }
        }
        Ok(Reply::Done)
    }

    /// Two regions in the same place would make the taking out of one the taking out of the other.
    fn forbid_overlap(
        &self,
        token: &mut Token<'_, { level::SERVING }>,
        cell: u32,
        address: u64,
        bytes: u64,
    ) -> Result<(), Error> {
        let mut entry = Token::at_entry();
        for (_, region) in self.regions.used(&mut entry) {
            let length = region.bytes.load(Ordering::Relaxed);
            let (mappings, _) = region.mappings.lock(token);
            let overlaps = mappings.iter().any(|mapping| {
                mapping.cell == cell
                    && mapping.address < address.saturating_add(bytes)
                    && address < mapping.address + length
            });
            if overlaps {
                return Err(Error::BadArgument);
            }
        }
        Ok(())
    }
}
