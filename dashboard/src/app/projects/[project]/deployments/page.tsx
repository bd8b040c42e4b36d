import { Suspense } from "react";
import { ProjectDeployments } from "@/features/deployments/project";

// One exported page answers every id; see lib/route.ts.
export const generateStaticParams = () => [{ project: "_" }];

export default function Page() {
  return (
    <Suspense>
      <ProjectDeployments />
    </Suspense>
  );
}
