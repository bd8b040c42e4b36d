"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { keys } from "@/lib/cache";
import { leave } from "@/lib/elsewhere";
import { data, http } from "@/lib/http";
import { useHydrated } from "@/lib/route";
import { Button } from "@/ui/button";
import { Problem } from "@/ui/overlay";

export const useProviders = () => {
  const enabled = useHydrated();
  return useQuery({
    queryKey: keys.providers,
    queryFn: () => data(http.GET("/auth/oauth")),
    staleTime: Infinity,
    enabled,
  }).data?.items;
};

/** Beneath the form of a door; nothing where no provider is configured. */
export function Elsewhere() {
  const providers = useProviders();
  const [error, setError] = useState<Error | null>(null);
  if (!providers?.length) return null;
  const go = async (provider: string) => {
    try {
      const params = { path: { provider } };
      const { url } = await data(http.GET("/auth/oauth/{provider}", { params }));
      leave(url, { link: false, next: new URLSearchParams(location.search).get("next") });
    } catch (caught) {
      setError(caught as Error);
    }
  };
  return (
    <div className="mt-5 space-y-2 border-t border-line pt-5">
      {providers.map((one) => (
        <Button key={one.provider} className="w-full" onClick={() => void go(one.provider)}>
          Continue with {one.name}
        </Button>
      ))}
      <Problem error={error} />
    </div>
  );
}
