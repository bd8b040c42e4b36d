"use client";
import { useState } from "react";
import { Places, ProjectFrame } from "@/features/projects/frame";
import type { EnvironmentNow, ProjectNow, Traffic } from "@/lib/http";
import { Choice } from "@/ui/field";
import { Card, Section } from "@/ui/surface";
import { TrafficCharts, useTraffic, type Window } from "./charts";

const windows: [Window, string][] = [
  ["1h", "Hour"],
  ["6h", "6 hours"],
  ["24h", "Day"],
  ["7d", "Week"],
  ["30d", "Month"],
];

export const ProjectTraffic = () => (
  <ProjectFrame tab="traffic">{({ now, place }) => <Page now={now} place={place} />}</ProjectFrame>
);

function Page({ now, place }: { now: ProjectNow; place: EnvironmentNow }) {
  const [window, setWindow] = useState<Window>("1h");
  const { name } = place.environment;
  const total = useTraffic(now.project.id, name, window).data?.total;
  return (
    <>
      <Places now={now} place={place} tab="traffic" />
      <Section
        id="traffic"
        title="Traffic"
        note="Requests of visitors, as the edge counted them."
        action={<Choice label="Time" value={window} onChange={setWindow} options={windows} />}
      >
        <Total total={total} />
        <Card className="p-5">
          <TrafficCharts project={now.project.id} environment={name} window={window} />
        </Card>
      </Section>
    </>
  );
}

const number = (count?: number) => count?.toLocaleString("en") ?? "–";
const milliseconds = (value?: number | null) => (value == null ? "–" : `${Math.round(value)} ms`);

function Total({ total }: { total?: Traffic["total"] }) {
  const share = total?.requests
    ? ` (${((100 * total.server_errors) / total.requests).toFixed(2)} %)`
    : "";
  const rows: [string, string][] = [
    ["Requests", number(total?.requests)],
    ["Success", number(total && total.success + total.redirects)],
    ["4xx", number(total?.client_errors)],
    ["5xx", number(total?.server_errors) + share],
    ["Unanswered", number(total?.unanswered)],
    ["p95", milliseconds(total?.p95)],
  ];
  return (
    <Card className="mb-5 p-5">
      <dl className="grid grid-cols-2 gap-x-6 gap-y-4 sm:grid-cols-3 lg:grid-cols-6">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt className="text-xs text-muted">{name}</dt>
            <dd className="text-lg font-semibold tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
