"use client";
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
import { apply, type Happened } from "./cache";
import { toSignIn } from "./route";
import { follow, type Link } from "./stream";

const Context = createContext<Link>("connecting");
export const useLink = () => useContext(Context);

/** One stream of events for a tab. What it brings is written into the cache. */
export function Live({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [link, setLink] = useState<Link>("connecting");
  useEffect(
    () =>
      follow({
        url: "/overview/events",
        link: setLink,
        on: (sent) => sent.forEach((one) => apply(client, JSON.parse(one.data) as Happened)),
        opened: (resumed) => !resumed && askAgain(client),
        refused: (error) => error.status === 401 && toSignIn(),
      }),
    [client],
  );
  return <Context value={link}>{children}</Context>;
}

/** What was answered before the stream stood may have changed in between. */
function askAgain(client: QueryClient): void {
  const opened = Date.now();
  void client.invalidateQueries({
    predicate: ({ state }) => state.dataUpdatedAt > 0 && state.dataUpdatedAt < opened - 1000,
  });
}
