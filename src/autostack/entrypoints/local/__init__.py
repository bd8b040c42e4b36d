"""The platform on one machine: `autostack up`, `down`, `status`, `doctor`."""
