"use client";
import { useQuery } from "@tanstack/react-query";
import { keys } from "@/lib/cache";
import { bytes } from "@/lib/format";
import { data, http, type Disk } from "@/lib/http";
import { Problem } from "@/ui/overlay";
import { Card, Loading, Section, Skeleton } from "@/ui/surface";

export function DiskPage() {
  const { data: disk, error } = useQuery({
    queryKey: keys.disk,
    queryFn: () => data(http.GET("/disk")),
  });
  if (error) return <Problem error={error} />;
  if (disk) return <Shown disk={disk} />;
  return (
    <Loading label="Loading the disk">
      <Skeleton className="h-32 w-full rounded-xl" />
    </Loading>
  );
}

function Shown({ disk }: { disk: Disk }) {
  const used = disk.total - disk.free;
  return (
    <div className="space-y-8">
      <Section id="disk" title="Disk" note={disk.forecast.words}>
        <Card className="p-5">
          <div className="flex flex-wrap items-baseline justify-between gap-2">
            <p className="text-lg font-semibold tabular-nums">{bytes(disk.free)} free</p>
            <p className="text-[13px] text-muted">
              of {bytes(disk.total)}; nothing new is built below {bytes(disk.floor)}
            </p>
          </div>
          <meter className="sr-only" min={0} max={disk.total} value={used}>
            {bytes(used)} used
          </meter>
          <svg
            viewBox="0 0 100 2"
            preserveAspectRatio="none"
            className="mt-3 h-2 w-full overflow-hidden rounded-full"
            aria-hidden
          >
            <rect width="100" height="2" className="fill-raised" />
            <rect
              width={(100 * used) / disk.total}
              height="2"
              className={disk.low ? "fill-bad" : "fill-accent"}
            />
          </svg>
          {disk.low && (
            <p className="mt-3 text-[13px] text-bad">
              There is too little: deployments are refused.
            </p>
          )}
        </Card>
      </Section>
      <Section
        id="projects"
        title="Projects"
        note={
          disk.measured_at
            ? "Largest first, as measured last."
            : "Not measured yet; that happens in the background."
        }
      >
        <Card className="overflow-x-auto" role="region" aria-label="Projects by size" tabIndex={0}>
          <table className="w-full text-[13px] tabular-nums">
            <thead>
              <tr className="border-b border-line text-left text-xs text-muted">
                {["Project", "Total", "Releases", "Caches", "Logs", "Uploads", "Mirrors"].map(
                  (name, index) => (
                    <th
                      key={name}
                      scope="col"
                      className={`px-4 py-2 font-medium ${index ? "text-right" : ""}`}
                    >
                      {name}
                    </th>
                  ),
                )}
              </tr>
            </thead>
            <tbody>
              {disk.projects.map((one) => (
                <tr key={one.project_id} className="border-b border-line last:border-0">
                  <th scope="row" className="px-4 py-2 text-left font-medium">
                    {one.name}
                  </th>
                  {[one.total, one.releases, one.caches, one.logs, one.uploads, one.mirrors].map(
                    (size, index) => (
                      <td key={index} className="px-4 py-2 text-right whitespace-nowrap">
                        {bytes(size ?? 0)}
                      </td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
      </Section>
    </div>
  );
}
