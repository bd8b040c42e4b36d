import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { apply, keys } from "@/lib/cache";
import { data, http, type Deployment, type DeploymentDetail } from "@/lib/http";
import { toast } from "@/ui/toast";

export const useDeployment = (id?: string) =>
  useQuery({
    queryKey: keys.deployment(id ?? ""),
    queryFn: () =>
      data(http.GET("/deployments/{deployment_id}", { params: { path: { deployment_id: id! } } })),
    enabled: !!id,
  });

export const useReleases = (environment: string, enabled: boolean) =>
  useQuery({
    queryKey: keys.releases(environment),
    queryFn: () =>
      data(
        http.GET("/environments/{environment_id}/releases", {
          params: { path: { environment_id: environment } },
        }),
      ),
    enabled,
    staleTime: 0,
  });

/** A deployment that was just asked for is on every page before its first event comes. */
export function remember(client: QueryClient, one: Deployment): void {
  const detail: DeploymentDetail = { ...one, steps: [] };
  const about = { kind: "", data: {}, at: one.created_at };
  apply(client, {
    ...about,
    project_id: one.project_id,
    deployment_id: one.id,
    deployment: detail,
  });
}

export const deploymentPath = (one: Pick<Deployment, "id" | "project_id">) =>
  `/projects/${one.project_id}/deployments/${one.id}`;

export const failed = (error: Error) => toast("That did not work", "bad", error.message);

/** Ask for a deployment of any kind, and go and watch it. */
export function useDeploying<T>(ask: (wanted: T) => Promise<Deployment | null | undefined>) {
  const client = useQueryClient();
  const router = useRouter();
  return useMutation({
    mutationFn: ask,
    onSuccess: (made) => {
      if (!made) return;
      remember(client, made);
      router.push(deploymentPath(made));
    },
  });
}

export interface Wanted {
  project: string;
  environment?: string;
  branch?: string;
}

export const deploy = ({ project, environment, branch }: Wanted) =>
  data(
    http.POST("/deployments", {
      params: { header: { "Idempotency-Key": crypto.randomUUID?.() ?? `${Math.random()}` } },
      body: {
        project_id: project,
        environment: environment ?? "production",
        branch: branch || null,
      },
    }),
  );

export const useDeploy = () => {
  const made = useDeploying(deploy);
  return { ...made, mutate: (wanted: Wanted) => made.mutate(wanted, { onError: failed }) };
};

export async function cancel(id: string): Promise<void> {
  await http.POST("/deployments/{deployment_id}/cancel", {
    params: { path: { deployment_id: id } },
  });
}
