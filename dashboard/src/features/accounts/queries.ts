import { useQuery } from "@tanstack/react-query";
import { keys } from "@/lib/cache";
import { data, http } from "@/lib/http";
import { BASE, useHydrated } from "@/lib/route";

export function useMe() {
  const enabled = useHydrated();
  return useQuery({
    queryKey: keys.me,
    queryFn: () => data(http.GET("/auth/me")),
    staleTime: Infinity,
    enabled,
  });
}

export const useSessions = () =>
  useQuery({ queryKey: keys.sessions, queryFn: () => data(http.GET("/auth/sessions")) });

export const useTokens = () =>
  useQuery({ queryKey: keys.tokens, queryFn: () => data(http.GET("/auth/tokens")) });

/** `code` is of the second factor, or a recovery code. */
export async function signIn(email: string, password: string, code?: string): Promise<void> {
  await http.POST("/auth/session", { body: { email, password, code: code || null } });
}

export async function signOut(): Promise<void> {
  await http.DELETE("/auth/session");
  location.assign(`${BASE}/sign-in`);
}
