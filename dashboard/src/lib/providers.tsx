"use client";
import { CSPProvider } from "@base-ui/react/csp-provider";
import { Tooltip } from "@base-ui/react/tooltip";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Toasts } from "@/ui/toast";
import { ApiError } from "./http";
import { toSignIn } from "./route";
import { useTheme } from "./theme";

const FRESH = 30_000;

function signedOut(error: Error): void {
  if (error instanceof ApiError && error.status === 401 && error.code !== "credentials_invalid")
    toSignIn();
}

const mayHelp = (tries: number, error: Error) =>
  tries < 3 && !(error instanceof ApiError && error.status > 0 && error.status < 500);

function makeClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: FRESH, retry: mayHelp, refetchOnWindowFocus: false },
      mutations: { networkMode: "always" },
    },
    queryCache: new QueryCache({ onError: signedOut }),
    mutationCache: new MutationCache({ onError: signedOut }),
  });
}

export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(makeClient);
  // On every page, so that each follows the system, those of the doors too.
  useTheme();
  return (
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={client}>
        <Tooltip.Provider delay={350}>{children}</Tooltip.Provider>
        <Toasts />
      </QueryClientProvider>
    </CSPProvider>
  );
}
