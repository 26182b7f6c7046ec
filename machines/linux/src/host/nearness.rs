//! Which cores are near to each other: by the caches that they share, then by their package.

use std::path::Path;

use super::core_set::{CoreId, CoreSet};
use super::files::read_short;

/// Caches of one core that are looked at, from the smallest: no processor has more.
const MOST_CACHES: u32 = 16;

/// For each of these cores the places of the others in the same list, from that which shares the most caches with it to that which shares the least. Of
/// equally near ones the next comes first, so that not all cores look at the same one. Where the kernel says nothing all are equally near.
pub fn nearest(cores: &CoreSet) -> Vec<Vec<u32>> {
    nearest_below(Path::new("/"), cores)
}

fn nearest_below(root: &Path, cores: &CoreSet) -> Vec<Vec<u32>> {
    let cores: Vec<CoreId> = cores.iter().collect();
    let groups: Vec<Vec<CoreSet>> = cores.iter().map(|core| groups(root, *core)).collect();
    let count = cores.len();
    let around = |(place, groups): (usize, &Vec<CoreSet>)| {
        let distance = |other: &usize| {
            let shared = |group: &&CoreSet| cores.get(*other).is_some_and(|other| group.contains(*other));
            groups.len() - groups.iter().filter(shared).count()
        };
        let mut others: Vec<usize> = (1..count).map(|further| (place + further) % count).collect();
        // Stable: the next one first.
        others.sort_by_key(distance);
        others.into_iter().filter_map(|other| u32::try_from(other).ok()).collect()
    };
    groups.iter().enumerate().map(around).collect()
}

/// The sets of cores that share something with a core: each of its caches, and its package.
fn groups(root: &Path, core: CoreId) -> Vec<CoreSet> {
    let folder = root.join(format!("sys/devices/system/cpu/cpu{core}"));
    let caches = (0..MOST_CACHES).map(|index| folder.join(format!("cache/index{index}/shared_cpu_list")));
    let package = folder.join("topology/package_cpus_list");
    let read = |file: std::path::PathBuf| CoreSet::parse_list(read_short(&file).ok()?.trim()).ok();
    caches.chain([package]).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::test_support::Scratch;

    #[test]
    fn who_shares_more_caches_is_nearer() {
        let host = Scratch::new("nearness");
        let write = |core: u32, file: &str, text: &str| {
            let path = host.path().join(format!("sys/devices/system/cpu/cpu{core}/{file}"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{text}\n")).unwrap();
        };
        // Two packages of two cores with two hardware threads each.
        for core in 0..8 {
            let (package, sibling) = (core / 4 % 2, core ^ 1);
            let all = if package == 0 { "0-3" } else { "4-7" };
            let both = format!("{},{}", core.min(sibling), core.max(sibling));
            write(core, "cache/index0/shared_cpu_list", &both);
            write(core, "cache/index1/shared_cpu_list", all);
            write(core, "topology/package_cpus_list", all);
        }
        let cores = CoreSet::parse_list("0-2,5-7").unwrap();
        let nearest = nearest_below(host.path(), &cores);
        // Cores 0, 1, 2, 5, 6, 7 by their places.
        assert_eq!(nearest[0], [1, 2, 3, 4, 5]);
        assert_eq!(nearest[2], [0, 1, 3, 4, 5]);
        assert_eq!(nearest[4], [5, 3, 0, 1, 2]);
        assert_eq!(nearest[5], [4, 3, 0, 1, 2]);
    }

    #[test]
    fn where_nothing_is_known_the_next_is_as_near_as_any() {
        let host = Scratch::new("nearness-of-nothing");
        let cores = CoreSet::parse_list("3-5").unwrap();
        assert_eq!(nearest_below(host.path(), &cores), [[1, 2], [2, 0], [0, 1]]);
    }

    #[test]
    fn of_this_host_every_core_knows_all_others() {
        let cores = CoreSet::parse_list("0-1").unwrap();
        assert_eq!(nearest(&cores), [[1], [0]]);
    }
}
