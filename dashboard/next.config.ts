import type { NextConfig } from "next";

const production = process.env.NODE_ENV === "production";
const api = process.env.AUTOSTACK_API ?? "http://127.0.0.1:8000";

// Production is plain files that the API serves; `next dev` hands calls on to a running platform.
const config: NextConfig = {
  basePath: "/dashboard",
  output: production ? "export" : undefined,
  images: { unoptimized: true },
  rewrites: production
    ? undefined
    : async () => [
        { source: "/:path((?!dashboard).*)", destination: `${api}/:path`, basePath: false },
      ],
};

export default config;
