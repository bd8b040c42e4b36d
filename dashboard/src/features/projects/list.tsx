"use client";
import clsx from "clsx";
import { Boxes, Plus, Search, SearchX, TriangleAlert } from "lucide-react";
import Link from "next/link";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import type { State } from "@/features/deployments/status";
import { plural } from "@/lib/format";
import type { ProjectNow } from "@/lib/http";
import { Button, buttonClass } from "@/ui/button";
import { Choice, fieldClass } from "@/ui/field";
import { Head } from "@/ui/head";
import { More } from "@/ui/more";
import { isCommand } from "@/ui/open";
import { Kbd } from "@/ui/small";
import { Card, Empty, Loading, Skeleton } from "@/ui/surface";
import { ProjectCard } from "./card";
import { useProjects } from "./pages";
import { lagsBehind, stateOf } from "./queries";

type Filter = "all" | "running" | "deploying" | "failed";
const filters: [Filter, string][] = [
  ["all", "All"],
  ["running", "Running"],
  ["deploying", "Deploying"],
  ["failed", "Failed"],
];

function fits(filter: Filter, now: ProjectNow): boolean {
  const place = now.environments[0];
  const state: State = stateOf(place);
  return filter === "all" || state === filter || (filter === "failed" && lagsBehind(place));
}

const words = ({ project }: ProjectNow) =>
  `${project.name} ${project.repo_url} ${project.framework ?? ""}`.toLowerCase();

export function ProjectList() {
  const list = useProjects();
  const { data, error, refetch } = list;
  const [typed, setTyped] = useState("");
  const [filter, setFilter] = useState<Filter>("all");
  const wanted = useDeferredValue(typed.trim().toLowerCase());
  const all = data?.pages.flatMap((page) => page.items);
  const shown = all?.filter((now) => fits(filter, now) && words(now).includes(wanted));
  return (
    <>
      <Head
        title="Projects"
        name="Projects"
        note={note(all)}
        actions={
          <Link href="/projects/new" className={buttonClass("primary")}>
            <Plus aria-hidden />
            New project
          </Link>
        }
      />
      {all?.length !== 0 && (
        <Find typed={typed} onType={setTyped} filter={filter} onFilter={setFilter} all={all} />
      )}
      {error ? (
        <Empty
          icon={TriangleAlert}
          title="Projects could not be loaded"
          action={<Button onClick={() => refetch()}>Try again</Button>}
        >
          {error.message}
        </Empty>
      ) : !shown ? (
        <Waits />
      ) : all?.length === 0 ? (
        <First />
      ) : shown.length === 0 ? (
        <Empty
          icon={SearchX}
          title="Nothing matches"
          action={
            <Button
              onClick={() => {
                setTyped("");
                setFilter("all");
              }}
            >
              Show all
            </Button>
          }
        >
          No project fits what you typed and the filter you chose.
        </Empty>
      ) : (
        <ul className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3" aria-label="Projects">
          {shown.map((now) => (
            <ProjectCard key={now.project.id} now={now} />
          ))}
        </ul>
      )}
      <More of={list} label="More projects" className="mt-5" />
      <p className="sr-only" role="status">
        {shown ? `${plural(shown.length, "project")} shown` : ""}
      </p>
    </>
  );
}

function note(all?: ProjectNow[]): string {
  if (!all) return "\u00a0";
  if (!all.length) return "Nothing deployed yet";
  const running = all.filter((now) => stateOf(now.environments[0]) === "running").length;
  return `${plural(all.length, "project")}, ${running} running`;
}

function Find(props: {
  typed: string;
  onType: (typed: string) => void;
  filter: Filter;
  onFilter: (filter: Filter) => void;
  all?: ProjectNow[];
}) {
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
  return (
    <div className="mb-5 flex flex-wrap items-center gap-3">
      <div className="relative min-w-52 flex-1 sm:max-w-xs">
        <Search
          className="pointer-events-none absolute top-2.5 left-3 size-4 text-faint"
          aria-hidden
        />
        <input
          ref={box}
          type="search"
          value={props.typed}
          onChange={(event) => props.onType(event.target.value)}
          className={clsx(fieldClass, "pr-9 pl-9")}
          placeholder="Find a project"
          aria-label="Find a project"
          aria-keyshortcuts="/"
        />
        <span className="pointer-events-none absolute top-2 right-2 max-lg:hidden" aria-hidden>
          <Kbd>/</Kbd>
        </span>
      </div>
      <Choice
        label="Show"
        value={props.filter}
        onChange={props.onFilter}
        options={filters.map(([value, label]) => [
          value,
          <span key={value} className="flex items-center gap-1.5">
            {label}
            {props.all && (
              <span className="text-xs text-muted tabular-nums">
                {props.all.filter((now) => fits(value, now)).length}
              </span>
            )}
          </span>,
        ])}
      />
    </div>
  );
}

const First = () => (
  <Empty
    icon={Boxes}
    title="Deploy your first project"
    action={
      <Link href="/projects/new" className={buttonClass("primary")}>
        <Plus aria-hidden />
        New project
      </Link>
    }
  >
    Paste the address of a Git repository. AutoStack finds out how to build and run it, shows you
    why it thinks so, and gives you a URL.
  </Empty>
);

const Waits = () => (
  <Loading label="Loading projects">
    <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
      {[0, 1, 2, 3, 4, 5].map((card) => (
        <Card key={card} className="h-45 p-4">
          <div className="flex gap-3">
            <Skeleton className="size-9" />
            <div className="flex-1 space-y-2 pt-1">
              <Skeleton className="h-3.5 w-2/5" />
              <Skeleton className="h-3 w-3/5" />
            </div>
            <Skeleton className="h-6 w-20" />
          </div>
          <Skeleton className="mt-6 h-3 w-4/5" />
          <Skeleton className="mt-2 h-3 w-1/2" />
        </Card>
      ))}
    </div>
  </Loading>
);
