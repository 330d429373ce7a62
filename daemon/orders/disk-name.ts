/** As the kernel calls a disk or its partition: `sdb`, `sdb1`. */
export const DISK_NAME = /^sd[a-z]{1,3}\d{0,3}$/;
