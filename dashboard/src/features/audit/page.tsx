"use client";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Download, History, TriangleAlert } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { useMe } from "@/features/accounts/queries";
import { keys } from "@/lib/cache";
import { data, http, type Audit, type AuditChoice } from "@/lib/http";
import { useHydrated } from "@/lib/route";
import { Button, buttonClass } from "@/ui/button";
import { Pick } from "@/ui/field";
import { Head } from "@/ui/head";
import { More } from "@/ui/more";
import { When } from "@/ui/small";
import { Card, Empty, Loading, Skeleton } from "@/ui/surface";
import { KINDS, SPANS, told, who } from "./words";

const PAGE = 50;
const DAY = 86_400_000;

interface Filter {
  kind?: string;
  project_id?: string;
  actor_id?: string;
  since?: string;
  everything?: true;
}

const useAudit = (filter: Filter) =>
  useInfiniteQuery({
    queryKey: [...keys.audit, filter],
    queryFn: ({ pageParam }) =>
      data(
        http.GET("/audit", {
          params: {
            query: {
              ...filter,
              changes: true,
              limit: PAGE,
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.next_cursor ? Number(page.next_cursor) : undefined),
    enabled: useHydrated(),
    staleTime: 0,
  });

/** What the filters offer. */
const useChoices = (everything: boolean) =>
  useQuery({
    queryKey: keys.choices(everything),
    queryFn: () => data(http.GET("/audit/choices", { params: { query: { everything } } })),
    enabled: useHydrated(),
    placeholderData: (before) => before,
  });

const options = (all: string, found: AuditChoice[] = [], me?: string): [string, string][] => [
  ["", all],
  ...found.map((one): [string, string] => [one.id, one.id === me ? "me" : one.name]),
];

export function Activity() {
  const [filter, setFilter] = useState<Filter>({});
  const { everything, ...rest } = filter;
  const query = new URLSearchParams({ format: "csv", ...rest });
  if (everything) query.set("everything", "true");
  return (
    <>
      <Head
        title="Activity"
        name="Activity"
        note="Who did what, in the teams you look after and with your account. Nobody can change it."
        actions={
          <a className={buttonClass()} href={`/audit/export?${query}`} download>
            <Download aria-hidden />
            Export
          </a>
        }
      />
      <Filters filter={filter} onChange={setFilter} />
      <Found filter={filter} />
    </>
  );
}

function Filters(props: { filter: Filter; onChange: (filter: Filter) => void }) {
  const me = useMe().data;
  const choices = useChoices(!!props.filter.everything).data;
  const [days, setDays] = useState("");
  const change = (wanted: Filter) => {
    const all = Object.entries({ ...props.filter, ...wanted });
    props.onChange(Object.fromEntries(all.filter(([, value]) => value)) as Filter);
  };
  return (
    <div className="mb-5 grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
      <Pick
        label="About"
        options={KINDS}
        onChange={(event) => change({ kind: event.target.value })}
      />
      <Pick
        label="Project"
        options={options("all projects", choices?.projects)}
        value={props.filter.project_id ?? ""}
        onChange={(event) => change({ project_id: event.target.value })}
      />
      <Pick
        label="By"
        options={options("everybody", choices?.people, me?.id)}
        value={props.filter.actor_id ?? ""}
        onChange={(event) => change({ actor_id: event.target.value })}
      />
      <Pick
        label="When"
        options={SPANS}
        value={days}
        onChange={(event) => {
          const wanted = Number(event.target.value);
          setDays(event.target.value);
          change({ since: wanted ? new Date(Date.now() - wanted * DAY).toISOString() : "" });
        }}
      />
      {me?.is_admin && (
        <label className="flex items-center gap-2 text-[13px] sm:col-span-2 lg:col-span-4">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            onChange={(event) =>
              change({
                everything: event.target.checked || undefined,
                project_id: undefined,
                actor_id: undefined,
              })
            }
          />
          Of the whole platform, as its administrator
        </label>
      )}
    </div>
  );
}

function Found({ filter }: { filter: Filter }) {
  const list = useAudit(filter);
  if (list.error)
    return (
      <Empty
        icon={TriangleAlert}
        title="The activity could not be loaded"
        action={<Button onClick={() => list.refetch()}>Try again</Button>}
      >
        {list.error.message}
      </Empty>
    );
  if (!list.data) return <Lines />;
  const rows = list.data.pages.flatMap((page) => page.items);
  if (!rows.length)
    return (
      <Empty icon={History} title="Nothing found">
        Nothing of this kind happened in that time. Choose less to see more.
      </Empty>
    );
  return (
    <>
      <Card className="overflow-hidden">
        <ul className="divide-y divide-line" aria-label="Activity">
          {rows.map((row) => (
            <Row key={row.id} of={row} />
          ))}
        </ul>
      </Card>
      <More of={list} />
    </>
  );
}

function Row({ of }: { of: Audit }) {
  const about = of.project && `/projects/${of.project_id}`;
  const from = [of.address && `from ${of.address}`, of.token_id && "with an API token"];
  return (
    <li className="flex flex-wrap items-baseline gap-x-4 gap-y-0.5 px-4 py-2.5 text-[13px]">
      <p className="min-w-0 flex-1 basis-64 [overflow-wrap:anywhere]">
        <span className="font-medium">{who(of)}</span> {told(of)}
        {about && (
          <>
            {" · "}
            <Link
              href={of.deployment_id ? `${about}/deployments/${of.deployment_id}` : about}
              prefetch={false}
              className="underline decoration-line-strong underline-offset-2 hover:decoration-current"
            >
              {of.project}
            </Link>
          </>
        )}
      </p>
      <p className="text-xs text-muted tabular-nums">
        {from
          .filter(Boolean)
          .map((one) => `${one} · `)
          .join("")}
        <When at={of.at} />
      </p>
    </li>
  );
}

const Lines = () => (
  <Loading label="Loading the activity">
    <Card className="divide-y divide-line">
      {[0, 1, 2, 3, 4, 5, 6, 7].map((line) => (
        <div key={line} className="flex h-10 items-center px-4">
          <Skeleton className="h-4 w-1/2" />
        </div>
      ))}
    </Card>
  </Loading>
);
