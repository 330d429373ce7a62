import { createLogger, format, type Logger, transports } from "winston";

/** syslog's levels, as journald knows them; `alert`: somebody must look today. */
export const LEVELS = { alert: 1, error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;
export type Level = keyof typeof LEVELS;

/** Logs to standard error, one JSON object a line, `<N>` before it so that journald sees the level. */
export function journalLogger(level: Level): Logger {
  const line = format.printf(({ level: shown, message, ...fields }) => {
    const priority = isLevel(shown) ? LEVELS[shown] : LEVELS.error;
    return `<${priority}>${JSON.stringify({ level: shown, message, ...fields })}`;
  });
  return createLogger({
    levels: LEVELS,
    level,
    format: line,
    transports: [new transports.Console({ stderrLevels: Object.keys(LEVELS) })],
  });
}

function isLevel(level: string): level is Level {
  return level in LEVELS;
}
