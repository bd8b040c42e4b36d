import { ProjectList } from "@/features/projects/list";

export default function Page() {
  return <ProjectList />;
}
