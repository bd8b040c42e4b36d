import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { keys } from "@/lib/cache";
import { data, http } from "@/lib/http";

export const useHooks = (project: string, enabled = true) =>
  useQuery({
    queryKey: keys.hooks(project),
    queryFn: () =>
      data(http.GET("/projects/{project_id}/hooks", { params: { path: { project_id: project } } })),
    enabled,
  });

const PAGE = 20;

export const useDeliveries = (project: string, hook: string) =>
  useInfiniteQuery({
    queryKey: keys.deliveries(project, hook),
    queryFn: ({ pageParam }) =>
      data(
        http.GET("/projects/{project_id}/hooks/{hook_id}/deliveries", {
          params: {
            path: { project_id: project, hook_id: hook },
            query: { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) },
          },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    // Forges deliver without an event that this page would hear of.
    staleTime: 0,
  });
