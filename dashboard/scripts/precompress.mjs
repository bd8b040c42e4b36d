// Writes a .br and a .gz next to every text file of the export, so that serving costs no time.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const SMALL = 600;
const brotli = (body) =>
  brotliCompressSync(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  });

for (const entry of readdirSync("out", { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(html|js|css|txt|svg|json)$/.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const body = readFileSync(path);
  if (body.length < SMALL) continue;
  writeFileSync(`${path}.br`, brotli(body));
  writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }));
}
