import { ApiError, problem } from "./http";

export type Link = "connecting" | "live" | "lost" | "ended";

export interface Sent {
  event: string;
  id: string;
  data: string;
}

export interface Following {
  url: string;
  on: (sent: Sent[]) => void;
  link: (state: Link) => void;
  /** Behind which event to go on, after a break or from the start. */
  after?: string;
  /** The connection stands; `resumed` says whether nothing can have been missed. */
  opened?: (resumed: boolean) => void;
  refused?: (error: ApiError) => void;
}

const LONGEST_PAUSE = 15_000;
/** The server beats every 15 s: silence this long is a dead connection, as after sleep. */
const SILENCE = 40_000;

/**
 * Follow a stream of server-sent events until the returned function is called.
 *
 * Not an EventSource: that gives up for good after a 502, cannot begin behind an event it has not
 * seen itself, and hides the status. A hidden tab gives its connection back, for a browser allows
 * six to a host and streams count.
 */
export function follow(following: Following): () => void {
  let id = following.after ?? "";
  let stop: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tries = 0;
  let done = false;

  const close = () => {
    clearTimeout(timer);
    stop?.abort();
    stop = undefined;
  };
  const again = (wait?: number) => {
    if (done || document.hidden) return;
    following.link(tries < 2 ? "connecting" : "lost");
    const pause = wait ?? Math.min(LONGEST_PAUSE, 400 * 2 ** tries) * (0.75 + Math.random() / 2);
    tries += 1;
    timer = setTimeout(open, pause);
  };
  const open = async () => {
    if (done || stop || document.hidden) return;
    const mine = (stop = new AbortController());
    try {
      const answer = await connect(following.url, id, mine.signal);
      tries = 0;
      following.link("live");
      following.opened?.(id !== "");
      await read(answer, mine, (sent) => {
        id = sent.findLast((one) => one.id)?.id ?? id;
        following.on(sent);
      });
    } catch (error) {
      if (error instanceof ApiError && error.status !== 429 && error.status < 500) {
        done = true;
        following.refused?.(error);
      }
    }
    if (stop !== mine) return;
    stop = undefined;
    again();
  };
  const seen = () => (document.hidden ? close() : open());

  document.addEventListener("visibilitychange", seen);
  addEventListener("online", seen);
  void open();
  return () => {
    done = true;
    close();
    document.removeEventListener("visibilitychange", seen);
    removeEventListener("online", seen);
  };
}

async function connect(url: string, after: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (after) headers["Last-Event-ID"] = after;
  const answer = await fetch(url, { headers, signal, cache: "no-store" });
  if (!answer.ok) throw await problem(answer);
  return answer;
}

async function read(answer: Response, mine: AbortController, on: (sent: Sent[]) => void) {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const parse = parser();
  for (;;) {
    const silence = setTimeout(() => mine.abort(), SILENCE);
    const { done, value } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    const sent = parse(value);
    if (sent.length) on(sent);
  }
}

/** Turns pieces of a stream into events; what is cut off waits for its rest. */
export function parser(): (piece: string) => Sent[] {
  let rest = "";
  return (piece) => {
    const blocks = (rest + piece).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop() ?? "";
    return blocks.map(event).filter((one) => one !== null);
  };
}

function event(block: string): Sent | null {
  const found: Sent = { event: "message", id: "", data: "" };
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    const name = line.slice(0, colon);
    if (name === "data") data.push(value);
    else if (name === "event") found.event = value;
    else if (name === "id") found.id = value;
  }
  found.data = data.join("\n");
  return data.length ? found : null;
}
