import { NewProject } from "@/features/projects/new";

export default function Page() {
  return <NewProject />;
}
