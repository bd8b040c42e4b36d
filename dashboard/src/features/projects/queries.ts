import { useQuery, useQueryClient } from "@tanstack/react-query";
import { keys } from "@/lib/cache";
import { data, http, type EnvironmentNow, type ProjectOverview } from "@/lib/http";
import { isBusy, type State } from "@/features/deployments/status";

/** Instances are looked at by the platform now and then, without an event. */
const LOOK_AGAIN = 15_000;

/** Projects being deleted: their page is still there, but whoever asks for them gets a 404. */
export const leaving = new Set<string>();

export function useOverview(id?: string) {
  const client = useQueryClient();
  const key = keys.project(id ?? "");
  const ask = (signal: AbortSignal) => {
    const params = { path: { project_id: id! } };
    return data(http.GET("/projects/{project_id}/overview", { params, signal }));
  };
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }) =>
      (leaving.has(id!) && client.getQueryData<ProjectOverview>(key)) || ask(signal),
    enabled: !!id,
    refetchInterval: LOOK_AGAIN,
  });
}

/** How an environment stands, in one word. */
export function stateOf(place?: EnvironmentNow): State {
  if (!place) return "none";
  if (isBusy(place.latest)) return "deploying";
  if (place.environment.stopped) return "stopped";
  if (place.serving) return "running";
  return place.latest?.status === "failed" ? "failed" : "none";
}

/** The newest attempt failed, and something older serves. */
export const lagsBehind = (place?: EnvironmentNow) =>
  !!place?.serving && place.latest?.status === "failed" && place.latest.id !== place.serving.id;

export const siteOf = (place: EnvironmentNow) => `http://${place.environment.url}/`;
