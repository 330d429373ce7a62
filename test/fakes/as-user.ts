/** A user for a test: no such one need be on this machine. */
export interface TestUser {
  readonly uid: number;
  readonly gid: number;
  /** Others it is a member of. */
  readonly groups?: readonly number[];
}

/**
 * Lets `body` run as another user, with the umask of a service: every thread of this process is that one meanwhile. For root,
 * and a body that needs nothing of this checkout, which another user may not reach.
 */
export async function asUser<T>(
  { uid, gid, groups = [] }: TestUser,
  umask: number,
  body: () => Promise<T>,
): Promise<T> {
  const before = { umask: process.umask(umask), groups: process.getgroups?.() ?? [] };
  process.setgroups?.([...groups]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    return await body();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(before.groups);
    process.umask(before.umask);
  }
}
