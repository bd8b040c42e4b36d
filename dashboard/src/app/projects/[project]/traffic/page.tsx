import { Suspense } from "react";
import { ProjectTraffic } from "@/features/traffic/page";

// One exported page answers every id; see lib/route.ts.
export const generateStaticParams = () => [{ project: "_" }];

export default function Page() {
  return (
    <Suspense>
      <ProjectTraffic />
    </Suspense>
  );
}
