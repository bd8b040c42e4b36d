import { Suspense } from "react";
import { ProjectOverview } from "@/features/projects/overview";

// One exported page answers every id; see lib/route.ts.
export const generateStaticParams = () => [{ project: "_" }];

export default function Page() {
  return (
    <Suspense>
      <ProjectOverview />
    </Suspense>
  );
}
