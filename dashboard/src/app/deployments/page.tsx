import { AllDeployments } from "@/features/deployments/all";

export default function Page() {
  return <AllDeployments />;
}
