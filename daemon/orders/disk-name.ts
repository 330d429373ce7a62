// By themselves, and not with the schemas: what takes a card away needs them and no library.

/** As the kernel calls a disk or its partition: `sdb`, `sdb1`. */
export const DISK_NAME = /^sd[a-z]{1,3}\d{0,3}$/;
/** What speaks MTP, by the number of its bus and its own number on it, as in /dev/bus/usb: `mtp-001-005`. */
export const MTP_NAME = /^mtp-\d{3}-\d{3}$/;
