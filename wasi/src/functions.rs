//! The list of WASI's functions, for whoever defines or tries them all.

/// Hands the list of all functions but `proc_exit` (which has no result) to a macro: `name(parameter: type, …);` each.
///
/// Each is a method of [`crate::Process`] with these parameters behind the memory.
#[macro_export]
macro_rules! functions {
    ($with:ident) => {
        $with! {
            args_get(argv: u32, buffer: u32);
            args_sizes_get(count: u32, bytes: u32);
            environ_get(environ: u32, buffer: u32);
            environ_sizes_get(count: u32, bytes: u32);
            clock_res_get(clock: u32, resolution: u32);
            clock_time_get(clock: u32, precision: u64, time: u32);
            fd_advise(fd: u32, offset: u64, length: u64, advice: u32);
            fd_allocate(fd: u32, offset: u64, length: u64);
            fd_close(fd: u32);
            fd_datasync(fd: u32);
            fd_fdstat_get(fd: u32, place: u32);
            fd_fdstat_set_flags(fd: u32, flags: u32);
            fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
            fd_filestat_get(fd: u32, place: u32);
            fd_filestat_set_size(fd: u32, size: u64);
            fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32);
            fd_pread(fd: u32, list: u32, count: u32, offset: u64, read: u32);
            fd_prestat_get(fd: u32, place: u32);
            fd_prestat_dir_name(fd: u32, place: u32, length: u32);
            fd_pwrite(fd: u32, list: u32, count: u32, offset: u64, written: u32);
            fd_read(fd: u32, list: u32, count: u32, read: u32);
            fd_readdir(fd: u32, buffer: u32, length: u32, cookie: u64, used: u32);
            fd_renumber(fd: u32, to: u32);
            fd_seek(fd: u32, by: i64, whence: u32, place: u32);
            fd_sync(fd: u32);
            fd_tell(fd: u32, place: u32);
            fd_write(fd: u32, list: u32, count: u32, written: u32);
            path_create_directory(fd: u32, path: u32, length: u32);
            path_filestat_get(fd: u32, flags: u32, path: u32, length: u32, place: u32);
            path_filestat_set_times(
                fd: u32, flags: u32, path: u32, length: u32, accessed: u64, modified: u64, which: u32
            );
            path_link(
                fd: u32, flags: u32, path: u32, length: u32, new_fd: u32, new_path: u32, new_length: u32
            );
            path_open(
                fd: u32, lookup: u32, path: u32, length: u32, how: u32, base: u64, inheriting: u64, flags: u32, opened: u32
            );
            path_readlink(fd: u32, path: u32, length: u32, buffer: u32, buffer_length: u32, used: u32);
            path_remove_directory(fd: u32, path: u32, length: u32);
            path_rename(fd: u32, path: u32, length: u32, new_fd: u32, new_path: u32, new_length: u32);
            path_symlink(target: u32, target_length: u32, fd: u32, path: u32, length: u32);
            path_unlink_file(fd: u32, path: u32, length: u32);
            poll_oneoff(subscriptions: u32, events: u32, count: u32, happened: u32);
            proc_raise(signal: u32);
            random_get(buffer: u32, length: u32);
            sched_yield();
            sock_accept(fd: u32, flags: u32, place: u32);
            sock_recv(fd: u32, list: u32, count: u32, flags: u32, length: u32, out: u32);
            sock_send(fd: u32, list: u32, count: u32, flags: u32, length: u32);
            sock_shutdown(fd: u32, how: u32);
        }
    };
}
