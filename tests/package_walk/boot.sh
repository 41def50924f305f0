# Makes the named folder the root of a system whose first process is its systemd. To be run in namespaces of its own (mounts,
# processes, control groups, names), below a control group of its own. What is the kernel's and not the system's stays as it is.
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
for shared in proc/sys proc/sysrq-trigger; do
    [ -e "$shared" ] || continue
    mount --bind "$shared" "$shared"
    mount -o remount,bind,ro "$shared"
done
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
hostname quartermaster-test
pivot_root . mnt
umount --lazy /mnt
exec env --ignore-environment container=other LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --log-target=console --show-status=no
