"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { keys } from "@/lib/cache";
import { data, http, type Traffic } from "@/lib/http";
import { Chart, type Line } from "@/ui/chart";
import { Skeleton } from "@/ui/surface";

export type Window = "1h" | "6h" | "24h" | "7d" | "30d";
const MINUTE = 60_000;

export const useTraffic = (project: string, environment: string, window: Window) =>
  useQuery({
    queryKey: keys.traffic(project, environment, window),
    queryFn: () =>
      data(
        http.GET("/projects/{project_id}/environments/{name}/traffic", {
          params: { path: { project_id: project, name: environment }, query: { window } },
        }),
      ),
    staleTime: MINUTE,
    refetchInterval: MINUTE,
  });

interface Columns {
  at: number[];
  rate: Line[];
  latency: Line[];
  errors: Line[];
}

function columns(traffic: Traffic): Columns {
  const { points, step } = traffic;
  const per = (pick: (point: Traffic["points"][number]) => number) =>
    points.map((point) => (pick(point) / step) * 60);
  return {
    at: points.map((point) => Date.parse(point.at) / 1000),
    rate: [{ name: "Requests", tone: "--accent", values: per((point) => point.requests) }],
    latency: [
      { name: "p50", tone: "--info", values: points.map((point) => point.p50) },
      { name: "p95", tone: "--warn", values: points.map((point) => point.p95) },
    ],
    errors: [
      { name: "4xx", tone: "--warn", values: per((point) => point.client_errors) },
      { name: "5xx", tone: "--bad", values: per((point) => point.server_errors) },
    ],
  };
}

export function TrafficCharts(props: {
  project: string;
  environment: string;
  window: Window;
  short?: boolean;
}) {
  const { data: traffic, error } = useTraffic(props.project, props.environment, props.window);
  const shown = useMemo(() => traffic && columns(traffic), [traffic]);
  if (error)
    return <p className="text-[13px] text-muted">Traffic could not be loaded: {error.message}</p>;
  if (!shown || !traffic)
    return (
      <div className="grid gap-x-8 gap-y-6 sm:grid-cols-3">
        {[0, 1, 2].map((chart) => (
          <Skeleton key={chart} className="h-[174px]" />
        ))}
      </div>
    );
  const { total } = traffic;
  return (
    <div className="grid gap-x-8 gap-y-6 md:grid-cols-2 lg:grid-cols-3">
      <Chart
        title="Requests"
        unit="/ min"
        at={shown.at}
        lines={shown.rate}
        summary={`${total.requests} requests in the last ${props.window}`}
      />
      <Chart
        title="Latency"
        unit="ms"
        at={shown.at}
        lines={shown.latency}
        summary={
          total.p95 == null
            ? "Too few requests to tell latencies"
            : `p95 ${total.p95} milliseconds in the last ${props.window}`
        }
      />
      <Chart
        title="Errors"
        unit="/ min"
        at={shown.at}
        lines={shown.errors}
        summary={`${total.client_errors} answers of 4xx and ${total.server_errors} of 5xx in the last ${props.window}`}
      />
    </div>
  );
}
