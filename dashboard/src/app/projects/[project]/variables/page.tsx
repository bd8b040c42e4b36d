import { Suspense } from "react";
import { ProjectVariables } from "@/features/variables/page";

// One exported page answers every id; see lib/route.ts.
export const generateStaticParams = () => [{ project: "_" }];

export default function Page() {
  return (
    <Suspense>
      <ProjectVariables />
    </Suspense>
  );
}
