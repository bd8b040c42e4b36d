import { follow, type Link, type Sent } from "@/lib/stream";

export interface Line {
  id: string;
  at: number;
  text: string;
  /** What the platform itself says, and how loud; nothing for what a program printed. */
  level?: "info" | "warning" | "error";
  /** A step, or an instance such as `web.1`. */
  tag?: string;
}

interface Written {
  id: string;
  at: string;
  text: string;
  step?: string;
  level?: string;
  process?: string;
  index?: number;
  note?: boolean;
}

export function lineOf(one: Written): Line {
  const tag = one.step ?? (one.process && `${one.process}.${one.index}`);
  const level = one.note ? "warning" : one.level === "output" ? undefined : one.level;
  return { id: one.id, at: Date.parse(one.at), text: one.text, tag, level: level as Line["level"] };
}

/** Lines live outside of React: ten thousand of them are one render, in the next frame. */
export class LogStore {
  lines: Line[] = [];
  link: Link = "connecting";
  #version = 0;
  #told = new Set<() => void>();
  #frame = 0;
  #stop?: () => void;
  #last = "";

  constructor(readonly url: string) {}

  version = () => this.#version;

  subscribe = (tell: () => void) => {
    this.#told.add(tell);
    if (!this.#stop && this.link !== "ended") this.#open();
    return () => {
      this.#told.delete(tell);
      if (this.#told.size) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  };

  #open() {
    this.#stop = follow({
      url: this.url,
      after: this.#last,
      on: (sent) => this.#take(sent),
      link: (link) => this.#set(link),
      refused: () => this.#set("lost"),
    });
  }

  #take(sent: Sent[]) {
    for (const one of sent) {
      if (one.event === "end") {
        this.#stop?.();
        this.#set("ended");
        continue;
      }
      const written = JSON.parse(one.data) as Written | Written[];
      for (const line of Array.isArray(written) ? written : [written])
        this.lines.push(lineOf(line));
      if (one.id) this.#last = one.id;
    }
    this.#tell();
  }

  #set(link: Link) {
    if (this.link === link || this.link === "ended") return;
    this.link = link;
    this.#tell();
  }

  #tell() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#version++;
      this.#told.forEach((tell) => tell());
    });
  }
}
