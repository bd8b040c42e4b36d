import type { ReactNode } from "react";
import { ServerFrame } from "@/features/administration/frame";

export default function Layout({ children }: { children: ReactNode }) {
  return <ServerFrame>{children}</ServerFrame>;
}
