import { useInfiniteQuery } from "@tanstack/react-query";
import { keys } from "@/lib/cache";
import { data, http, type ProjectNow } from "@/lib/http";
import { useHydrated } from "@/lib/route";

const PAGE = 100;

export function useProjects(enabled = true) {
  const ready = useHydrated();
  return useInfiniteQuery({
    queryKey: keys.overview,
    queryFn: ({ pageParam }) => {
      const query = pageParam ? { limit: PAGE, cursor: pageParam } : { limit: PAGE };
      return data(http.GET("/overview", { params: { query } }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    enabled: ready && enabled,
  });
}

const none: ProjectNow[] = [];

/** For names and searching: what a list has loaded, or its first page. */
export const useKnownProjects = () =>
  useProjects().data?.pages.flatMap((page) => page.items) ?? none;
