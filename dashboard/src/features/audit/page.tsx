"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Download, History, TriangleAlert } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { useMe } from "@/features/accounts/queries";
import { useKnownProjects } from "@/features/projects/queries";
import { keys } from "@/lib/cache";
import { data, http, type Audit } from "@/lib/http";
import { useHydrated } from "@/lib/route";
import { Button, buttonClass } from "@/ui/button";
import { Pick } from "@/ui/field";
import { Head } from "@/ui/head";
import { When } from "@/ui/small";
import { Card, Empty, Loading, Skeleton } from "@/ui/surface";
import { KINDS, SPANS, told, who } from "./words";

/** Much of it is steps of deployments, which are not shown. */
const PAGE = 200;
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
            query: { ...filter, limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) },
          },
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.next_cursor ? Number(page.next_cursor) : undefined),
    enabled: useHydrated(),
    staleTime: 0,
  });

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
  const projects = useKnownProjects().map(({ project }) => [project.id, project.name] as const);
  const [days, setDays] = useState("");
  const change = (wanted: Filter) => {
    const all = Object.entries({ ...props.filter, ...wanted });
    props.onChange(Object.fromEntries(all.filter(([, value]) => value)) as Filter);
  };
  const people: [string, string][] = [["", "everybody"]];
  if (me) people.push([me.id, "me"]);
  return (
    <div className="mb-5 grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
      <Pick
        label="About"
        options={KINDS}
        onChange={(event) => change({ kind: event.target.value })}
      />
      <Pick
        label="Project"
        options={[["", "all projects"], ...projects]}
        onChange={(event) => change({ project_id: event.target.value })}
      />
      <Pick
        label="By"
        options={people}
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
            onChange={(event) => change({ everything: event.target.checked || undefined })}
          />
          Of the whole platform, as its administrator
        </label>
      )}
    </div>
  );
}

function Found({ filter }: { filter: Filter }) {
  const list = useAudit(filter);
  const names = new Map(useKnownProjects().map(({ project }) => [project.id, project.name]));
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
  const rows = list.data.pages
    .flatMap((page) => page.items)
    .flatMap((of) => {
      const words = told(of);
      return words ? [{ of, words }] : [];
    });
  if (!rows.length && !list.hasNextPage)
    return (
      <Empty icon={History} title="Nothing found">
        Nothing of this kind happened in that time. Choose less to see more.
      </Empty>
    );
  return (
    <>
      {!!rows.length && (
        <Card className="overflow-hidden">
          <ul className="divide-y divide-line" aria-label="Activity">
            {rows.map(({ of, words }) => (
              <Row
                key={of.id}
                of={of}
                words={words}
                project={of.project_id ? names.get(of.project_id) : undefined}
              />
            ))}
          </ul>
        </Card>
      )}
      {list.hasNextPage && (
        <div className="mt-4 text-center">
          <Button busy={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
            Load more
          </Button>
        </div>
      )}
    </>
  );
}

function Row({ of, words, project }: { of: Audit; words: string; project?: string }) {
  const about = project && `/projects/${of.project_id}`;
  const from = [of.address && `from ${of.address}`, of.token_id && "with an API token"];
  return (
    <li className="flex flex-wrap items-baseline gap-x-4 gap-y-0.5 px-4 py-2.5 text-[13px]">
      <p className="min-w-0 flex-1 basis-64 [overflow-wrap:anywhere]">
        <span className="font-medium">{who(of)}</span> {words}
        {about && (
          <>
            {" · "}
            <Link
              href={of.deployment_id ? `${about}/deployments/${of.deployment_id}` : about}
              prefetch={false}
              className="underline decoration-line-strong underline-offset-2 hover:decoration-current"
            >
              {project}
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
