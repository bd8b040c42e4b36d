import { Suspense } from "react";
import { ProjectLogs } from "@/features/logs/page";

// One exported page answers every id; see lib/route.ts.
export const generateStaticParams = () => [{ project: "_" }];

export default function Page() {
  return (
    <Suspense>
      <ProjectLogs />
    </Suspense>
  );
}
