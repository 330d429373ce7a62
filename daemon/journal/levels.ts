/** syslog's levels, as journald knows them; `alert`: somebody must look today. */
export const LEVELS = { alert: 1, error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;
export type Level = keyof typeof LEVELS;

/** What journald files a line under. What has no level of ours is an error: it should have had one. */
export function priorityOf(level: string): number {
  return isLevel(level) ? LEVELS[level] : LEVELS.error;
}

function isLevel(level: string): level is Level {
  return Object.hasOwn(LEVELS, level);
}
