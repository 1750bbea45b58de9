package io.tome4j.diffusion;

/**
 * What diffusers' pipelines of a family do where nobody says, by task.
 *
 * @param guidanceScale how strongly the prompt is followed
 * @param inpaintingGuidanceScale the same where a part of an image is repainted, without ControlNets
 * @param strength how much of an initial image is made anew
 * @param controlledStrength the same with ControlNets
 * @param inpaintingStrength the same of what is repainted; below 1 its first latents hold a trace of the image
 */
record FamilyDefaults(
        double guidanceScale,
        double inpaintingGuidanceScale,
        double strength,
        double controlledStrength,
        double inpaintingStrength) {
    static final FamilyDefaults STABLE_DIFFUSION = new FamilyDefaults(7.5, 7.5, 0.8, 0.8, 1);
    static final FamilyDefaults SDXL = new FamilyDefaults(5, 7.5, 0.3, 0.8, 0.9999);

    /** The request with these where it does not choose. */
    Request in(Request request) {
        boolean controlled = !request.controls().isEmpty();
        Request guided = request.isChosen(Request.GUIDANCE_SCALE)
                ? request
                : request.guidanceScale(request.repaints() && !controlled ? inpaintingGuidanceScale : guidanceScale);
        if (!(request.start() instanceof ImageStart) || request.isChosen(Request.STRENGTH)) {
            return guided;
        }
        return guided.strength(request.repaints() ? inpaintingStrength : controlled ? controlledStrength : strength);
    }
}
