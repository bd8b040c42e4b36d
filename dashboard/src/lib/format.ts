const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

export function ago(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  for (const [unit, size] of units)
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  return "just now";
}

const full = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
export const exactly = (iso: string) => full.format(new Date(iso));

export function seconds(from?: string | null, to?: string | null, now = Date.now()): number | null {
  return from ? Math.max(0, ((to ? Date.parse(to) : now) - Date.parse(from)) / 1000) : null;
}

export function span(length?: number | null): string {
  if (length == null) return "–";
  if (length < 60) return `${length < 10 ? length.toFixed(1) : Math.round(length)} s`;
  return `${Math.floor(length / 60)} m ${Math.round(length % 60)} s`;
}

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
export const compact = (count: number) => short.format(count);
export const plural = (count: number, one: string, many = `${one}s`) =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** How long to wait, as the API's Retry-After says; zero where it does not. */
export function waiting(seconds: number): string {
  if (!seconds) return "a while";
  return seconds < 120 ? plural(seconds, "second") : plural(Math.ceil(seconds / 60), "minute");
}

export function bytes(count: number): string {
  const names = ["B", "kB", "MB", "GB", "TB"];
  let power = 0;
  while (count >= 1000 && power < names.length - 1) {
    count /= 1000;
    power += 1;
  }
  return `${count >= 10 || power === 0 ? Math.round(count) : count.toFixed(1)} ${names[power]}`;
}

/** `you/shop` of any way to write a repository's address. */
export const repository = (url: string) =>
  url.replace(/^[a-z+]+:\/\/[^/]+\/|^[^/@]*@?[^/:]+:(?!\/)/i, "").replace(/\.git$|\/$/g, "");

/** Where people look at a commit; null where we cannot know. */
export function commitUrl(repo: string, sha: string): string | null {
  const found =
    /^(?:https:\/\/|git@)(github\.com|gitlab\.com|bitbucket\.org)[/:](.+?)(?:\.git)?\/?$/.exec(
      repo,
    );
  if (!found) return null;
  const middle =
    found[1] === "gitlab.com" ? "/-/commit/" : found[1] === "github.com" ? "/commit/" : "/commits/";
  return `https://${found[1]}/${found[2]}${middle}${sha}`;
}

export const firstLine = (text?: string | null) => (text ?? "").split("\n", 1)[0]!.trim();
