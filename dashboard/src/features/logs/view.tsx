"use client";
import { useVirtualizer } from "@tanstack/react-virtual";
import clsx from "clsx";
import { ArrowDown } from "lucide-react";
import dynamic from "next/dynamic";
import {
  useCallback,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
  type KeyboardEvent,
  type RefObject,
} from "react";
import { Button } from "@/ui/button";
import { Card } from "@/ui/surface";
import { Row, type RowLook } from "./row";
import { useSearch } from "./search";
import { LogStore, type Line } from "./store";

// The lines come first.
const Toolbar = dynamic(() => import("./toolbar").then((part) => part.Toolbar), {
  ssr: false,
  loading: () => <div className="h-[49px] border-b border-line" />,
});

const LINE = 20;
const BOTTOM = 6;

interface Props {
  /** Where the lines come from; a live stream. */
  url: string;
  /** What a downloaded file is called. */
  name: string;
  label: string;
  tags?: boolean;
}

/** Shows any number of lines: only those on the screen are in the page. */
export function LogView(props: Props) {
  return <View key={props.url} {...props} />;
}

function View({ url, name, label, tags = false }: Props) {
  const [store] = useState(() => new LogStore(url));
  const version = useSyncExternalStore(store.subscribe, store.version, () => 0);
  const [look, setLook] = useState({ wrap: true, times: false, full: false });
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const [marked, mark] = useMarked(setFollow);
  // By keyboard a line is found; its number is for pointers.
  const search = useSearch(store.lines, version, mark);
  const shown = search.current ?? marked;
  const { lines } = store;
  return (
    <section aria-label={label} className={clsx(look.full && "fixed inset-0 z-40 bg-bg")}>
      <Card
        className={clsx(
          "flex flex-col overflow-hidden",
          look.full ? "h-full rounded-none border-0" : "h-[34rem] max-h-[75dvh]",
        )}
      >
        <Toolbar
          store={store}
          count={lines.length}
          name={name}
          search={search}
          look={look}
          onLook={setLook}
        />
        <div className="relative min-h-0 flex-1">
          <Lines
            box={box}
            lines={lines}
            label={label}
            ended={store.link === "ended"}
            follow={follow && search.current == null}
            setFollow={setFollow}
            shown={shown}
            onNumber={mark}
            look={{
              digits: Math.max(3, String(lines.length).length),
              wrap: look.wrap,
              times: look.times,
              tags,
              query: search.query,
            }}
          />
          {!follow && (
            <Button
              size="sm"
              className="absolute right-4 bottom-4 !rounded-full shadow-lg"
              onClick={() => setFollow(true)}
            >
              <ArrowDown aria-hidden />
              Newest
            </Button>
          )}
        </div>
      </Card>
    </section>
  );
}

/** The line that the address names, as in #L120. */
function useMarked(
  setFollow: (follow: boolean) => void,
): [number | null, (number: number) => void] {
  const [marked, setMarked] = useState<number | null>(null);
  useEffect(() => {
    const found = /^#L(\d+)$/.exec(location.hash)?.[1];
    if (!found) return;
    // eslint-disable-next-line react-hooks/set-state-in-effect -- the address is known in the browser only
    setMarked(Number(found));
    setFollow(false);
  }, [setFollow]);
  const mark = useCallback((number: number) => {
    history.replaceState(null, "", `#L${number}`);
    setMarked(number);
  }, []);
  return [marked, mark];
}

interface LinesProps {
  box: RefObject<HTMLDivElement | null>;
  lines: Line[];
  label: string;
  ended: boolean;
  follow: boolean;
  setFollow: (follow: boolean) => void;
  /** The number of the line to show, from 1. */
  shown: number | null;
  onNumber: (number: number) => void;
  look: RowLook;
}

function Lines({ box, lines, follow, setFollow, shown, look, ...props }: LinesProps) {
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE,
    overscan: 20,
  });
  const last = lines.length - 1;
  const there = shown != null && shown <= lines.length;
  useEffect(() => {
    if (follow && last >= 0) rows.scrollToIndex(last, { align: "end" });
  }, [follow, last, look.wrap, rows]);
  useEffect(() => {
    if (there) rows.scrollToIndex(shown - 1, { align: "center" });
  }, [there, shown, rows]);
  const items = rows.getVirtualItems();
  return (
    <div
      ref={box}
      role="log"
      aria-live="off"
      aria-label={props.label}
      tabIndex={0}
      className="log h-full overflow-auto bg-term py-2 font-mono text-[12.5px] -outline-offset-2 [overflow-anchor:none]"
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        if (scrollHeight - scrollTop - clientHeight < BOTTOM) setFollow(true);
      }}
      onWheel={(event) => event.deltaY < 0 && setFollow(false)}
      onTouchMove={() => setFollow(false)}
      onKeyDown={(event) => moved(event, setFollow)}
    >
      {!lines.length && (
        <p className="px-4 text-muted">
          {props.ended ? "Nothing was written." : "Waiting for the first line …"}
        </p>
      )}
      <div className="relative w-full min-w-fit" style={{ height: rows.getTotalSize() }}>
        <div
          className="absolute top-0 left-0 w-full min-w-fit"
          style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
        >
          {items.map((item) => (
            <div
              key={item.key}
              data-index={item.index}
              ref={look.wrap ? rows.measureElement : undefined}
            >
              <Row
                {...look}
                line={lines[item.index]!}
                number={item.index + 1}
                marked={item.index + 1 === shown}
                onNumber={props.onNumber}
              />
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function moved(event: KeyboardEvent, setFollow: (follow: boolean) => void) {
  if (["ArrowUp", "PageUp", "Home"].includes(event.key)) setFollow(false);
  if (event.key === "End") setFollow(true);
}
