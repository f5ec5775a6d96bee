# Fits with lme4 the models of which tests/models compares the estimates.
#   Rscript tests/oracles/lme4/reference.R <folder of make.py's rows> <folder of this file>
# The optimiser is stopped later than by default, which leaves the seventh digit of a variance open; for the
# model of two ratios it ends higher that way, and lme4's default is kept.
library(lme4)
arguments <- commandArgs(trailingOnly = TRUE)
rows <- function(name) read.csv(file.path(arguments[1], paste0(name, "_rows.csv")))
late <- lmerControl(optimizer = "nloptwrap",
                    optCtrl = list(algorithm = "NLOPT_LN_BOBYQA", xtol_rel = 1e-13, xtol_abs = 1e-13,
                                   ftol_rel = 0, ftol_abs = 0, maxeval = 5000))
result <- NULL
fit <- function(name, formula, data, REML, control = late) {
  model <- lmer(formula, data = data, REML = REML, control = control)
  effects <- fixef(model)
  variances <- as.data.frame(VarCorr(model))
  put <- function(quantity, value)
    result <<- rbind(result, data.frame(model = name, method = if (REML) "reml" else "ml",
                                        quantity = quantity, value = sprintf("%.15g", value)))
  for (term in names(effects)) {
    put(paste0("effect ", term), effects[[term]])
    put(paste0("std_error ", term), sqrt(diag(as.matrix(vcov(model))))[[term]])
  }
  for (i in seq_len(nrow(variances))) put(paste0("variance ", variances$grp[i]), variances$vcov[i])
  put("criterion", if (REML) REMLcrit(model) else -2 * as.numeric(logLik(model)))
}
school <- rows("hsb82"); exam <- rows("exam"); dyestuff <- rows("dyestuff"); chemistry <- rows("chem97")
school$school <- factor(school$school); exam$school <- factor(exam$school)
chemistry$school <- factor(chemistry$school); chemistry$lea <- factor(chemistry$lea)
fit("hsb82 null", mAch ~ 1 + (1 | school), school, TRUE)
fit("hsb82 null", mAch ~ 1 + (1 | school), school, FALSE)
fit("hsb82 meanses", mAch ~ meanses + (1 | school), school, TRUE)
fit("hsb82 meanses cses sector", mAch ~ meanses + cses + sector + (1 | school), school, TRUE)
fit("exam null", normexam ~ 1 + (1 | school), exam, FALSE)
fit("exam standLRT", normexam ~ standLRT + (1 | school), exam, FALSE)
fit("dyestuff null", Yield ~ 1 + (1 | Batch), dyestuff, TRUE)
fit("dyestuff null", Yield ~ 1 + (1 | Batch), dyestuff, FALSE)
fit("chem97 null", score ~ 1 + (1 | lea / school), chemistry, TRUE, lmerControl())
write.csv(result, file.path(arguments[2], "lme4.csv"), row.names = FALSE, quote = FALSE, eol = "\n")
cat(R.version.string, "lme4", as.character(packageVersion("lme4")), "\n")
