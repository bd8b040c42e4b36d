"use client";
import { useKnownProjects } from "@/features/projects/pages";
import { Head } from "@/ui/head";
import { DeploymentList } from "./list";

export function AllDeployments() {
  const projects = useKnownProjects();
  const names = new Map(projects.map(({ project }) => [project.id, project.name]));
  return (
    <>
      <Head
        title="Deployments"
        name="Deployments"
        note="Every attempt, newest first. It changes while you look."
      />
      <DeploymentList names={names} />
    </>
  );
}
