/**
 * Mode of what a producer hands over: its own, not to be written again, and read by the group of its folder, which is core
 * where they are two users. A part that shares its user with core keeps its group from it, by its umask.
 */
export const HANDED_OVER = 0o440;
