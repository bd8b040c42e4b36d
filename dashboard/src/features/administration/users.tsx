"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Search, SearchX } from "lucide-react";
import { useEffect, useState } from "react";
import { useMe } from "@/features/accounts/queries";
import { keys } from "@/lib/cache";
import { exactly, plural } from "@/lib/format";
import { data, http, type Person } from "@/lib/http";
import { Button } from "@/ui/button";
import { fieldClass } from "@/ui/field";
import { More } from "@/ui/more";
import { Problem } from "@/ui/overlay";
import { When } from "@/ui/small";
import { Card, Empty, Loading, Section, Skeleton, Tag } from "@/ui/surface";
import { Help } from "./help";

const PAGE = 50;
/** Milliseconds without a key after which what was typed is asked for. */
const PAUSE = 250;

const useUsers = (search: string) =>
  useInfiniteQuery({
    queryKey: [...keys.users, search],
    queryFn: ({ pageParam }) => {
      const cursor = pageParam ? { cursor: pageParam } : {};
      const query = { search, limit: PAGE, ...cursor };
      return data(http.GET("/admin/users", { params: { query } }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: (before) => before,
    staleTime: 0,
  });

/** What was typed, once whoever types pauses. */
function useSettled(typed: string): string {
  const [settled, setSettled] = useState(typed);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(typed), PAUSE);
    return () => clearTimeout(timer);
  }, [typed]);
  return settled;
}

export function Users() {
  const [typed, setTyped] = useState("");
  const search = useSettled(typed.trim());
  return (
    <Section
      id="users"
      title="Users"
      note="Newest first. Accounts of programs belong to their teams and are not listed."
      action={
        <div className="relative w-full sm:w-72">
          <Search
            className="pointer-events-none absolute top-2.5 left-3 size-4 text-faint"
            aria-hidden
          />
          <input
            type="search"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            className={`${fieldClass} pl-9`}
            placeholder="Find by e-mail"
            aria-label="Find by e-mail"
          />
        </div>
      }
    >
      <Found search={search} onAll={() => setTyped("")} />
    </Section>
  );
}

function Found({ search, onAll }: { search: string; onAll: () => void }) {
  const list = useUsers(search);
  if (list.error) return <Problem error={list.error} />;
  if (!list.data) return <Lines />;
  const rows = list.data.pages.flatMap((page) => page.items);
  if (!rows.length)
    return (
      <Empty
        icon={SearchX}
        title="Nobody found"
        action={<Button onClick={onAll}>Show everybody</Button>}
      >
        No account has this in its e-mail address.
      </Empty>
    );
  return (
    <>
      <Card className="overflow-hidden">
        <ul className="divide-y divide-line" aria-label="Users">
          {rows.map((row) => (
            <Row key={row.id} of={row} />
          ))}
        </ul>
      </Card>
      <p className="sr-only" role="status">
        {plural(rows.length, "user")} shown
      </p>
      <More of={list} />
    </>
  );
}

function Row({ of }: { of: Person }) {
  const own = useMe().data?.id === of.id;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium [overflow-wrap:anywhere]">{of.email}</span>
          {own && <Tag>you</Tag>}
          {of.is_admin && <Tag>administrator</Tag>}
          {of.second_factor && <Tag>second factor</Tag>}
        </p>
        <p className="text-xs text-muted">
          since <When at={of.created_at} /> ·{" "}
          {of.last_seen_at ? (
            <>
              seen <When at={of.last_seen_at} />
            </>
          ) : (
            "never signed in"
          )}
        </p>
        {of.locked_until && (
          <p className="text-xs text-bad">
            locked until <time dateTime={of.locked_until}>{exactly(of.locked_until)}</time>
          </p>
        )}
      </div>
      <Help of={of} own={own} />
    </li>
  );
}

const Lines = () => (
  <Loading label="Loading the users">
    <Card className="divide-y divide-line">
      {[0, 1, 2, 3, 4].map((line) => (
        <div key={line} className="flex h-15 items-center px-5">
          <Skeleton className="h-4 w-1/2" />
        </div>
      ))}
    </Card>
  </Loading>
);
