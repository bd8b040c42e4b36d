import { Suspense } from "react";
import { ProjectSettings } from "@/features/projects/settings";

// One exported page answers every id; see lib/route.ts.
export const generateStaticParams = () => [{ project: "_" }];

export default function Page() {
  return (
    <Suspense>
      <ProjectSettings />
    </Suspense>
  );
}
