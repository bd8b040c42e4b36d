/** Terminal colours as data. Nothing here makes markup: React renders each piece as text. */

export interface Look {
  fg?: string;
  bg?: string;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
}
export interface Piece extends Look {
  text: string;
}

// Operating system commands, then control sequences, then short escapes, then other controls.
const SEQUENCE =
  /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[([0-9;:]*)([ -/]*[@-~])|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** One line. A carriage return begins it anew, as in a terminal's progress bars. */
export function pieces(line: string): Piece[] {
  const shown = rewritten(line);
  const found: Piece[] = [];
  let look: Look = {};
  let last = 0;
  const push = (text: string) => text && found.push({ text, ...look });
  for (const match of shown.matchAll(SEQUENCE)) {
    push(shown.slice(last, match.index));
    last = match.index + match[0].length;
    if (match[2] === "m") look = styled(look, match[1] ?? "");
  }
  push(shown.slice(last));
  return found;
}

export const plain = (line: string) => rewritten(line).replace(SEQUENCE, "");

function rewritten(line: string): string {
  const at = line.lastIndexOf("\r", line.length - 2);
  return at >= 0 ? line.slice(at + 1) : line;
}

const SIMPLE: Record<number, Look> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  39: { fg: undefined },
  49: { bg: undefined },
};

function styled(look: Look, parameters: string): Look {
  const codes = parameters === "" ? [0] : parameters.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!;
    if (code === 0) look = {};
    else if (SIMPLE[code]) look = { ...look, ...SIMPLE[code] };
    else if (code === 38 || code === 48) {
      const [color, used] = extended(codes, at);
      look = { ...look, [code === 38 ? "fg" : "bg"]: color };
      at += used;
    } else look = { ...look, ...basic(code) };
  }
  return look;
}

function basic(code: number): Look {
  const color = `var(--a${code % 10})`;
  if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) return { fg: color };
  if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) return { bg: color };
  return {};
}

/** The colour behind 38 or 48, and how many codes it took. */
function extended(codes: number[], at: number): [string | undefined, number] {
  if (codes[at + 1] === 5) return [indexed(codes[at + 2] ?? -1), 2];
  if (codes[at + 1] !== 2) return [undefined, 0];
  const parts = [2, 3, 4].map((step) =>
    Math.min(255, Math.max(0, Math.trunc(codes[at + step] || 0))),
  );
  return [`rgb(${parts.join(" ")})`, 4];
}

const level = (step: number) => (step ? step * 40 + 55 : 0);

function indexed(number: number): string | undefined {
  if (!(number >= 0 && number < 256)) return undefined;
  if (number < 16) return `var(--a${number % 8})`;
  if (number >= 232)
    return `rgb(${Array(3)
      .fill((number - 232) * 10 + 8)
      .join(" ")})`;
  const rest = number - 16;
  return `rgb(${level(Math.floor(rest / 36))} ${level(Math.floor(rest / 6) % 6)} ${level(rest % 6)})`;
}
