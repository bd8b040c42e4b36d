import { useInfiniteQuery } from "@tanstack/react-query";
import { keys } from "@/lib/cache";
import { data, http } from "@/lib/http";

export function useDeployments(project?: string, enabled = true) {
  return useInfiniteQuery({
    queryKey: keys.deployments(project),
    queryFn: ({ pageParam }) => {
      const cursor = pageParam ? { cursor: pageParam } : {};
      const query = project
        ? { project_id: project, limit: 50, ...cursor }
        : { limit: 50, ...cursor };
      return data(http.GET("/deployments", { params: { query } }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    enabled,
  });
}
