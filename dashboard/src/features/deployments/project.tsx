"use client";
import { ProjectFrame } from "@/features/projects/frame";
import { DeploymentList } from "./list";

export const ProjectDeployments = () => (
  <ProjectFrame tab="deployments">
    {({ now }) => <DeploymentList project={now.project.id} />}
  </ProjectFrame>
);
