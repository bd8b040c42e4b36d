"use client";
import {
  ChevronDown,
  ChevronUp,
  Clock,
  Copy,
  Download,
  Maximize2,
  Minimize2,
  Search as Glass,
  WrapText,
  type LucideIcon,
} from "lucide-react";
import { useEffect, useRef, type Dispatch, type SetStateAction } from "react";
import { plain } from "@/lib/ansi";
import { plural } from "@/lib/format";
import { Button } from "@/ui/button";
import { isCommand } from "@/ui/open";
import { Tip } from "@/ui/overlay";
import { copy } from "@/ui/small";
import { toast } from "@/ui/toast";
import type { Search } from "./search";
import type { LogStore } from "./store";

interface Look {
  wrap: boolean;
  times: boolean;
  full: boolean;
}
interface Props {
  store: LogStore;
  count: number;
  name: string;
  search: Search;
  look: Look;
  onLook: Dispatch<SetStateAction<Look>>;
}

const textOf = (store: LogStore) => `${store.lines.map((line) => plain(line.text)).join("\n")}\n`;

function save(store: LogStore, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([textOf(store)], { type: "text/plain" }));
  link.download = `${name}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function Toolbar({ store, count, name, search, look, onLook }: Props) {
  const toggle = (part: keyof Look) => onLook((before) => ({ ...before, [part]: !before[part] }));
  useEscape(look.full, () => toggle("full"));
  const take = async () => {
    if (await copy(textOf(store), "The log")) toast("The log is copied", "ok");
  };
  return (
    <div className="flex flex-wrap items-center gap-1.5 border-b border-line p-2">
      <Find search={search} />
      <span className="px-1.5 text-xs text-muted tabular-nums sm:ml-auto">
        {plural(count, "line")}
        {state[store.link]}
      </span>
      <div className="ml-auto flex items-center gap-0.5 sm:ml-0">
        <Tool
          icon={Clock}
          label="Show times"
          pressed={look.times}
          onClick={() => toggle("times")}
        />
        <Tool
          icon={WrapText}
          label="Wrap long lines"
          pressed={look.wrap}
          onClick={() => toggle("wrap")}
        />
        <Tool icon={Copy} label="Copy the log" onClick={() => void take()} />
        <Tool icon={Download} label="Download the log" onClick={() => save(store, name)} />
        <Tool
          icon={look.full ? Minimize2 : Maximize2}
          label={look.full ? "Leave full screen" : "Fill the screen"}
          onClick={() => toggle("full")}
        />
      </div>
    </div>
  );
}

const state = { live: " · live", lost: " · reconnecting", connecting: "", ended: "" };

function useEscape(on: boolean, leave: () => void) {
  useEffect(() => {
    if (!on) return;
    const pressed = (event: KeyboardEvent) => event.key === "Escape" && leave();
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}

function Tool(props: { icon: LucideIcon; label: string; pressed?: boolean; onClick: () => void }) {
  return (
    <Tip label={props.label}>
      <Button
        variant="ghost"
        size="icon"
        aria-label={props.label}
        aria-pressed={props.pressed}
        className="aria-pressed:bg-hover aria-pressed:text-fg"
        onClick={props.onClick}
      >
        <props.icon aria-hidden />
      </Button>
    </Tip>
  );
}

function Find({ search }: { search: Search }) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "/" || !isCommand(event)) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  const { hits, query } = search;
  return (
    <>
      <div className="relative min-w-36 flex-1 max-sm:basis-full sm:max-w-72">
        <Glass
          className="pointer-events-none absolute top-2 left-2.5 size-4 text-faint"
          aria-hidden
        />
        <input
          ref={box}
          type="search"
          value={search.typed}
          onChange={(event) => search.type(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && search.step(event.shiftKey ? -1 : 1)}
          className="h-8 w-full rounded-lg border border-edge bg-panel pr-2 pl-8 text-[13px] placeholder:text-faint"
          placeholder="Find in the log"
          aria-label="Find in the log"
          aria-keyshortcuts="/"
        />
      </div>
      <span className="flex items-center text-xs text-muted tabular-nums" role="status">
        {query &&
          (hits.length ? `${search.nth + 1} of ${hits.length.toLocaleString("en")}` : "No match")}
      </span>
      {query && (
        <span className="flex items-center">
          <Tool icon={ChevronUp} label="Previous match" onClick={() => search.step(-1)} />
          <Tool icon={ChevronDown} label="Next match" onClick={() => search.step(1)} />
        </span>
      )}
    </>
  );
}
