"use client";
import clsx from "clsx";
import Link from "next/link";
import type { Delivery } from "@/lib/http";
import { Button, buttonClass } from "@/ui/button";
import { Problem } from "@/ui/overlay";
import { When } from "@/ui/small";
import { Skeleton } from "@/ui/surface";
import { useDeliveries } from "./queries";

const WORDS: Record<Delivery["outcome"], [string, string]> = {
  deployed: ["Deployed", "bg-ok"],
  paused: ["Paused", "bg-warn"],
  ignored: ["Nothing to do", "bg-faint"],
  duplicate: ["Again", "bg-faint"],
};

/** What the forge sent, and what was decided about it. */
export function Deliveries({ project, hook }: { project: string; hook: string }) {
  const list = useDeliveries(project, hook);
  const rows = list.data?.pages.flatMap((page) => page.items);
  return (
    <div className="border-t border-line bg-raised">
      {rows?.length === 0 && (
        <p className="px-5 py-4 text-[13px] text-muted">
          Nothing was delivered yet. Forges send a test when the hook is saved there; it appears
          here.
        </p>
      )}
      {!!rows?.length && (
        <ul aria-label="Deliveries" className="divide-y divide-line">
          {rows.map((row) => (
            <Row key={row.id} of={row} project={project} />
          ))}
        </ul>
      )}
      {!rows && !list.error && <Skeleton className="m-5 h-9" />}
      {list.error && (
        <div className="px-5 pb-4">
          <Problem error={list.error} />
        </div>
      )}
      {!!rows && (
        <div className="flex justify-end gap-2 border-t border-line px-5 py-2">
          <Button size="sm" variant="ghost" onClick={() => void list.refetch()}>
            Look again
          </Button>
          {list.hasNextPage && (
            <Button
              size="sm"
              busy={list.isFetchingNextPage}
              onClick={() => void list.fetchNextPage()}
            >
              Older deliveries
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function Row({ of, project }: { of: Delivery; project: string }) {
  const [word, dot] = WORDS[of.outcome];
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-2.5 text-[13px]">
      <span className="flex w-28 shrink-0 items-center gap-2 text-muted">
        <span className={clsx("size-1.5 rounded-full", dot)} aria-hidden />
        {word}
      </span>
      <div className="min-w-0 flex-1 basis-56">
        <p className="[overflow-wrap:anywhere]">{of.decision}</p>
        <p className="text-xs text-muted [overflow-wrap:anywhere]">
          {[of.event, of.branch].filter(Boolean).join(" · ")}
          {of.commit_sha && (
            <>
              {" · "}
              <span className="font-mono">{of.commit_sha.slice(0, 7)}</span>
            </>
          )}{" "}
          · <When at={of.at} />
        </p>
      </div>
      {of.deployment_id && (
        <Link
          className={buttonClass("ghost", "sm")}
          prefetch={false}
          href={`/projects/${project}/deployments/${of.deployment_id}`}
        >
          Its deployment
        </Link>
      )}
    </li>
  );
}
