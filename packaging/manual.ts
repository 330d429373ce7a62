import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { program as bewaarctl } from "../daemon/cli/bewaarctl.ts";
import { program as bewaard } from "../daemon/cli/bewaard.ts";
import { bashCompletion } from "./completion.ts";
import { configurationPage } from "./configuration-page.ts";
import { write } from "./layout.ts";
import { programPage } from "./program-page.ts";

/** What helps who types: manual pages and completions. None has a text of its own. */
export async function layOutManual(top: string, root: string, epoch: number, version: string) {
  const day = new Date(epoch * 1000).toISOString().slice(0, 10);
  const configuration = await readFile(join(top, "docs/configuration.md"), "utf8");
  for (const [name, page] of [
    ["man8/bewaard.8", programPage(bewaard, 8, day, version)],
    ["man1/bewaarctl.1", programPage(bewaarctl, 1, day, version)],
    ["man5/bewaard.yaml.5", configurationPage(configuration, day, version)],
  ] as const)
    await write(
      join(root, "usr/share/man", `${name}.gz`),
      await promisify(gzip)(page, { level: 9 }),
    );
  for (const program of [bewaard, bewaarctl])
    await write(
      join(root, "usr/share/bash-completion/completions", program.name()),
      bashCompletion(program),
    );
}
