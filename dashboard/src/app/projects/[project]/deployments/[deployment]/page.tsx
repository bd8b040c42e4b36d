import { Suspense } from "react";
import { DeploymentPage } from "@/features/deployments/page";

// One exported page answers every id; see lib/route.ts.
export const generateStaticParams = () => [{ project: "_", deployment: "_" }];

export default function Page() {
  return (
    <Suspense>
      <DeploymentPage />
    </Suspense>
  );
}
