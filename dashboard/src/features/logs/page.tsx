"use client";
import { useState } from "react";
import { Places, ProjectFrame } from "@/features/projects/frame";
import type { EnvironmentNow, ProjectNow } from "@/lib/http";
import { Choice } from "@/ui/field";
import { LogView } from "./view";

const LAST = 2000;

export const ProjectLogs = () => (
  <ProjectFrame tab="logs">
    {({ now, place }) => <Page key={place.environment.id} now={now} place={place} />}
  </ProjectFrame>
);

function Page({ now, place }: { now: ProjectNow; place: EnvironmentNow }) {
  const [process, setProcess] = useState("");
  const { id, name } = place.environment;
  const types = [...new Set((place.instances ?? []).map((one) => one.process))].sort();
  const options = ["", ...types].map((one) => [one, one || "All"] as const);
  const query = new URLSearchParams({
    tail: String(LAST),
    batch: "true",
    ...(process && { process }),
  });
  return (
    <>
      <Places now={now} place={place} tab="logs" />
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <p className="text-[13px] text-muted">
          What its instances print, the last {LAST.toLocaleString("en")} lines and what comes.
        </p>
        {types.length > 1 && (
          <Choice label="Process" value={process} onChange={setProcess} options={options} />
        )}
      </div>
      <LogView
        tags
        label={`Log of ${name}`}
        url={`/environments/${id}/logs?${query}`}
        name={`${now.project.slug}-${name}`}
      />
    </>
  );
}
