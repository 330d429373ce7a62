// statfs(2), f_type.
const KINDS: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0x2fc12fc1: "zfs",
  0x4d44: "fat",
  0x2011bab0: "exfat",
  0x7366746e: "ntfs3",
  0x6969: "nfs",
  0xff534d42: "cifs",
  0xfe534d42: "smb2",
  0x65735546: "fuse",
  0x01021994: "tmpfs",
  0x858458f6: "tmpfs",
  0x794c7630: "overlay",
};

/** The kind of a file system by its `type` of statfs; its number where it is another one. */
export function kindOf(type: number): string {
  return KINDS[type] ?? `0x${type.toString(16)}`;
}
