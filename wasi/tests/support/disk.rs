//! Files and directories in memory.

use std::collections::BTreeMap;

use hallows_system::files::Kind;
use hallows_wasi::{Errno, Result};

/// What is on the disk.
#[derive(Clone, Debug)]
pub enum Content {
    Directory(BTreeMap<Vec<u8>, usize>),
    Regular(Vec<u8>),
    Link(Vec<u8>),
    Device,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub content: Content,
    pub accessed: u64,
    pub modified: u64,
    pub links: u64,
}

/// All that there is; 0 is the root. What is removed stays where it is, for those who have it open.
#[derive(Clone, Debug)]
pub struct Disk {
    pub nodes: Vec<Node>,
    /// Bytes that may still be written.
    pub room: u64,
}

/// Where a path leads: the directory, the last name, and what has that name.
pub struct Place {
    pub directory: usize,
    pub name: Vec<u8>,
    pub node: Option<usize>,
}

impl Disk {
    pub fn new() -> Self {
        let mut disk = Self { nodes: Vec::new(), room: u64::MAX };
        disk.add(Content::Directory(BTreeMap::new()));
        disk
    }

    pub fn add(&mut self, content: Content) -> usize {
        self.nodes.push(Node { content, accessed: 0, modified: 0, links: 1 });
        self.nodes.len() - 1
    }

    pub fn names(&mut self, directory: usize) -> Result<&mut BTreeMap<Vec<u8>, usize>> {
        match &mut self.nodes[directory].content {
            Content::Directory(names) => Ok(names),
            _ => Err(Errno::Notdir),
        }
    }

    pub fn make(&mut self, place: &Place, content: Content) -> Result<usize> {
        if place.node.is_some() {
            return Err(Errno::Exist);
        }
        let node = self.add(content);
        self.names(place.directory)?.insert(place.name.clone(), node);
        Ok(node)
    }

    /// Makes a file below the root.
    pub fn file(&mut self, path: &str, bytes: &[u8]) {
        let place = self.find(0, path.as_bytes(), false).unwrap();
        self.make(&place, Content::Regular(bytes.to_vec())).unwrap();
    }

    /// Makes a directory below the root.
    pub fn directory(&mut self, path: &str) {
        let place = self.find(0, path.as_bytes(), false).unwrap();
        self.make(&place, Content::Directory(BTreeMap::new())).unwrap();
    }

    /// A file's bytes.
    pub fn bytes(&mut self, path: &str) -> Option<Vec<u8>> {
        let node = self.find(0, path.as_bytes(), true).ok()?.node?;
        match &self.nodes[node].content {
            Content::Regular(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }

    pub fn kind(&self, node: usize) -> Kind {
        match self.nodes[node].content {
            Content::Directory(_) => Kind::Directory,
            Content::Regular(_) => Kind::Regular,
            Content::Link(_) => Kind::SymbolicLink,
            Content::Device => Kind::CharacterDevice,
        }
    }

    /// Walks a path down from a directory. The way back up to it is known, and no further.
    pub fn find(&mut self, start: usize, path: &[u8], follow: bool) -> Result<Place> {
        let mut way = vec![start];
        let mut left: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec).collect();
        let mut links = 0;
        let mut found = Place { directory: start, name: b".".to_vec(), node: Some(start) };
        while let Some(name) = left.pop() {
            let here = *way.last().unwrap();
            match &*name {
                b"" | b"." => {
                    self.names(here)?;
                    continue;
                }
                b".." => {
                    way.pop();
                    let above = *way.last().ok_or(Errno::Notcapable)?;
                    found = Place { directory: above, name: b".".to_vec(), node: Some(above) };
                    continue;
                }
                _ => {}
            }
            let node = self.names(here)?.get(&name).copied();
            let is_last = left.iter().all(Vec::is_empty);
            found = Place { directory: here, name, node };
            match node.map(|node| &self.nodes[node].content) {
                None if is_last => return Ok(found),
                None => return Err(Errno::Noent),
                Some(Content::Link(target)) if follow || !is_last => {
                    links += 1;
                    if links > 8 {
                        return Err(Errno::Loop);
                    }
                    if target.starts_with(b"/") {
                        return Err(Errno::Notcapable);
                    }
                    left.extend(target.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec));
                }
                Some(_) if is_last && left.is_empty() => return Ok(found),
                Some(_) => way.extend(node),
            }
        }
        Ok(found)
    }
}
