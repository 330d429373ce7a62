import { readFile } from "node:fs/promises";

const UNIT = new URL("../../systemd/bewaard.service", import.meta.url);

/** How the service runs Node: what a bench measures is what a box has. */
export interface Service {
  readonly flags: readonly string[];
  /** Of the allocator, and no more. */
  readonly env: Readonly<Record<string, string>>;
}

/** As systemd/bewaard.service has it. */
export async function asService(): Promise<Service> {
  const unit = await readFile(UNIT, "utf8");
  const [, command = ""] = /^ExecStart=\S+\/node (.*?) ?\S+bewaard\.ts /m.exec(unit) ?? [];
  const settings = [...unit.matchAll(/^Environment=(MALLOC_.*)$/gm)].flatMap(([, line = ""]) =>
    line.split(" ").map((setting) => setting.split("=")),
  );
  const env = Object.fromEntries(settings.map(([name = "", value = ""]) => [name, value]));
  return { flags: command.split(" ").filter((word) => word !== ""), env };
}
